// Sends the only form of the page; the button does the same where scripts are off.
document.getElementById("onward").submit();
